"""The README.md of a package."""


def test_the_card_says_what_the_model_is(packed):
    card = (packed / "crps_with_roles" / "README.md").read_text()
    assert "convective available potential energy | J kg-1 | yes | no |" in card
    assert "| REFC | composite radar reflectivity | dBZ | no | yes |" in card
    assert "| loss in training, last epoch | 0.5123 |" in card
    assert "| loss in validation, last epoch | none |" in card
    assert "| loss in training of T2M, last epoch | 0.25 |\n" in card
    assert "| loss in training of REFC, last epoch | 0.75 |\n" in card
    assert "2026-06-01T00:00 to 2026-06-05T00:00 UTC" in card
    assert "16 x 18 points, 3000 x 3000 m" in card
