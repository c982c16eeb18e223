from al_service.client.refusals import RequestRefused


def test_every_problem_of_a_refusal_is_listed_once() -> None:
    """The detail listed all of them, and the lines below listed them again."""
    problem = {"where": "labels[3].values.z", "message": "z is 9: expected -0.1 to 8"}
    brief = {"detail": "1 problem(s), nothing was stored", "errors": [problem]}
    long = {
        **brief,
        "detail": f"1 problem(s): {problem['where']}: {problem['message']}",
    }
    for document in (brief, long):
        refused = RequestRefused(422, document)
        assert str(refused).count(problem["message"]) == 1
        assert str(refused).count(problem["where"]) == 1
        assert len(refused.problems) == 1
