import numpy as np

from al_service.acquisition.neighbors import neighbors


def test_the_nearest_is_named_with_its_distance_in_scaled_features() -> None:
    own = np.array([[0.0, 0.0], [3.0, 4.0]])
    others = np.array([[3.0, 0.0], [0.0, 2.0]])

    plain = neighbors(own, others, np.ones(2))
    narrow = neighbors(own, others, np.array([0.1, 1.0]))

    assert [(one.place, one.distance) for one in plain if one] == [
        (1, 2.0),
        (1, np.sqrt(13.0)),
    ]
    assert narrow[0] is not None
    assert narrow[0].place == 0


def test_with_nobody_else_there_is_no_neighbor() -> None:
    nothing = np.empty((0, 2))

    assert neighbors(np.ones((2, 2)), nothing, np.ones(2)) == [None, None]
    assert neighbors(nothing, np.ones((2, 2)), np.ones(2)) == []
