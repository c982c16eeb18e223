import torch

from al_service.models.consistent_dropout import draw_masks, settle_masks
from al_service.models.streams import Joining, Reading, StreamNetwork, StreamShape

READINGS = {"image": Reading.COLUMNS, "spectrum": Reading.COLUMNS}


def network(joining: Joining = Joining.CONCAT, dropout: float = 0.0) -> StreamNetwork:
    torch.manual_seed(1)
    shape = StreamShape(
        READINGS, {"image": 4, "spectrum": 5}, 2, joining, width=16, dropout=dropout
    )
    return StreamNetwork(shape).eval()


def columns(n: int = 6) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(2)
    return {
        "apertures": torch.randn(n, 4, generator=generator),
        "lines": torch.randn(n, 5, generator=generator),
    }


def flags(*, image: bool = True, spectrum: bool = True) -> dict[str, torch.Tensor]:
    return {"image": torch.full((6,), image), "spectrum": torch.full((6,), spectrum)}


def test_what_is_hidden_is_not_read() -> None:
    for joining in Joining:
        model, read = network(joining), columns()
        changed = {**read, "lines": read["lines"] + 100.0}

        hidden = model(read, flags(spectrum=False)).mean
        torch.testing.assert_close(hidden, model(changed, flags(spectrum=False)).mean)
        assert not torch.allclose(hidden, model(read, flags()).mean)


def test_the_noise_does_not_shape_the_features() -> None:
    model = network()

    torch.autograd.backward(model(columns(), flags()).log_noise.sum())

    assert all(weight.grad is None for weight in model.trunk.parameters())
    assert all(weight.grad is not None for weight in model.noise.parameters())


def test_a_draw_leaves_the_same_features_out_for_every_object() -> None:
    """With masks per object, two equal objects would differ within one draw."""
    model, read = network(dropout=0.5), columns()
    twins = {name: part[:1].expand(6, -1) for name, part in read.items()}

    draw_masks(model, torch.Generator().manual_seed(0))
    first = model(twins, flags()).mean
    draw_masks(model, torch.Generator().manual_seed(1))
    second = model(twins, flags()).mean
    settle_masks(model)

    torch.testing.assert_close(first, first[:1].expand(6, -1))
    assert not torch.allclose(first, second)
    settled = model(twins, flags()).mean
    torch.testing.assert_close(settled, network(dropout=0.0)(twins, flags()).mean)
