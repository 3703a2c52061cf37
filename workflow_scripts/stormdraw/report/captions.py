"""How to read each figure: the words under it, on the page and in Snakemake's report.

`rules/report/*.rst` are exports of this table (`as_rst`).
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Caption:
    """A figure's title and what a reader must know to read it."""

    title: str
    text: str


# Figures of one variable or one model, and the page: these are not among those of all systems.
NOT_SIDE_BY_SIDE = ("scorecard", "variable", "diagnosis", "sampling_path")

CAPTIONS: dict[str, Caption] = {
    "crps_by_lead": Caption(
        "CRPS by lead",
        "The continuous ranked probability score (CRPS) of each system at each lead, in the "
        "variable's own units: the lower the better, and 0 is perfect. It is the fair CRPS, which "
        "does not reward an ensemble for its size. Hollow markers are Gaussian CRPS, all that is "
        "possible where only a mean and a spread are known: compare them with each other only. Of "
        "a single member it is the absolute error. Bands show how much a score would change with "
        "other days of weather, by resampling whole days. They are not for telling two systems "
        "apart, since a hard day is hard for both: the table of skill pairs the days. Where a "
        "baseline would flatten the other lines the axis ends before it, and says so.",
    ),
    "spread_error": Caption(
        "Spread and error",
        "Squares: the ensemble's spread against the root mean square error (RMSE) of its mean, a "
        "point a lead, from the hollow one on. Below: their ratio by lead. In an ensemble that "
        "knows how wrong it is, both are equal: points lie on the 1:1 line and the ratio is 1. "
        "Below the line members are too alike, and the ensemble is too sure of itself; above it, "
        "they differ too much. Spread holds the factor sqrt((M + 1) / M) of M members, so that "
        "ensembles of different sizes can be compared; variances and squared errors are averaged "
        "over cases before the root. A single member has no spread and is not shown.",
    ),
    "rank_histograms": Caption(
        "Rank histograms",
        "How often the truth lies below all members, above one of them, above two and so on, in "
        "multiples of the flat line, which is what an ensemble shows whose members could be the "
        "truth. A U means too little spread, a dome too much, a slope a bias. Equal values, such "
        "as no echo at all, are ranked at random. The grey band holds 95 % of the bars of a "
        "calibrated ensemble if all points were independent. They are not: storms span many "
        "points and hours, "
        "so the true band is much wider, and small bumps mean nothing. Bars beyond the axis carry "
        "their height. Of a system known by mean and spread it is the probability integral "
        "transform, how much of its Gaussian lies below the truth, in 20 bins. Rank histograms "
        "show calibration alone: a climatology can be flat.",
    ),
    "event_forecasts": Caption(
        "Forecasts of events",
        "A row for each threshold of the configuration that the truth reached; a forecast "
        "probability is the share of members that reach it, or that of the Gaussian of a system "
        "known by mean and spread. Reliability, of probabilities in tenths, each at its mean: on "
        "the diagonal the event "
        "comes as often as it was forecast; a flatter line is an ensemble too sure of itself. "
        "Beside it, how many of all points had each probability, on a logarithmic axis: points of "
        "the reliability diagram with few forecasts mean little. ROC: hit rate against false alarm "
        "rate when a warning is given from one member on, from two and so on; the diagonal is "
        "guessing. It cannot see a bias in the probabilities, which reliability shows. "
        "Performance: hit rate against success ratio (the share of warnings that came true) with "
        "lines of equal "
        "critical success index; the upper right corner is perfect. An ensemble of more members "
        "has more points, which by itself makes the area under its ROC larger.",
    ),
    "fractions_skill": Caption(
        "Fractions skill score",
        "How well the share of a box that has the event is forecast, against the width of the box: "
        "1 is perfect, 0 no better than forecasts that never meet the events. A storm in a "
        "slightly wrong place costs little in a wide box. Solid markers are the ensemble's "
        "probability, "
        "hollow ones its probability-matched mean, a single field with the members' strength. It "
        "is a ratio of sums over all cases and leads. At the edge of the domain boxes are cut off, "
        "and missing points are left out of them.",
    ),
    "spread_bins": Caption(
        "Error by spread",
        "Points are sorted by the ensemble's spread into bins of half an octave; each marker is "
        "the error of the ensemble mean in one bin. An ensemble that knows where it is unsure lies "
        "on the diagonal; a flat line has a spread that says nothing about the error. Bins with "
        "fewer than 0.2 % of the points are not shown.",
    ),
    "spectra": Caption(
        "Power spectra",
        "Variance at each wavelength in multiples of the truth's, from the discrete cosine "
        "transform. Members (thick) should lie on 1 at all wavelengths: below it they are too "
        "smooth, above it too noisy. The mean (thin) rightly falls off where members differ. Waves "
        "shorter than some six to eight grid lengths are not resolved by the model that made the "
        "truth.",
    ),
    "crps_maps": Caption(
        "CRPS on the map",
        "The CRPS at each point, mean over all cases and leads, on one scale for all systems; the "
        "lower the better. The fair CRPS, or the Gaussian one of a system known by mean and spread "
        "only: compare that one with care. With few cases it shows where storms were rather than "
        "where a system is weak.",
    ),
    "member_maps": Caption(
        "Members beside the truth",
        "The analysis, the ensemble mean and the first members of a model's ensemble and of the "
        "reference, at the longest lead of one case. Each member should look like weather: as "
        "sharp as the truth, with storms of the same size and strength, in other places where the "
        "forecast is unsure. The mean is smoother than any member, and of reflectivity it is a "
        "mean of dBZ in which no echo counts as -10 dBZ. Members are the first in the file, not "
        "chosen; with reflectivity the case is the one with most storms in the truth, else the "
        "first. Lines are coasts and borders of countries and states; thin ones are parallels and "
        "meridians.",
    ),
    "archive_audit": Caption(
        "Hours of the archive",
        "The hours of analyses that the run wanted, by day (across) and hour (up): there, replaced "
        "by a later lead of an older run, or at no source. What is at no source is left out for "
        "every system alike: pairs of hours to learn from, and cases whose initial state or truth "
        "it is. The table results/archive/audit.csv lists every file of every source.",
    ),
    "training_curves": Caption(
        "Training",
        "Each model's loss by epoch (logarithmic) and its learning rate. Losses of models that "
        "predict different things cannot be compared. Validation that rises while training falls "
        "means that the model learns its data by heart. Speed is the median over epochs of the "
        "training samples (pairs of states) per second, on the device named.",
    ),
    "diagnosis": Caption(
        "Diagnosis of a model",
        "A trained model from the inside, on a few pairs of hours that are not scored: of the "
        "validation period or, without one, of the end of the training period, which the model has "
        "seen. Denoising error: how far the clean state that the model sees in a noisy one is from "
        "the true one, by noise level, in the units of its target, whose variance is 1. It should "
        "lie far below the dashed line, the least error of what sees each point alone and knows "
        "nothing; where both meet, the model takes off no noise. Shuffled: the model is told "
        "another case's state, hour and terrain; if that changes nothing, it does not use its "
        "condition. Variance: of members one hour ahead over the truth's, of the state and of its "
        "change in the hour, which is what the model adds; it belongs on 1, below it members are "
        "too smooth, above it too noisy. Persistence is the error of nothing changing. Impossible "
        "points are outside the physical bounds, or dew points above temperatures: as the model "
        "draws them, visibly so (by more than the archive resolves), in the analyses, and in "
        "members within bounds.",
    ),
    "sampling_path": Caption(
        "From noise to sample",
        "One member of a diffusion model on its way from noise (left) to the sample, and the truth "
        "beside it. Upper row of a variable: the noisy state, in standard deviations of what the "
        "model generates. Lower row: the state one hour ahead that the model sees in it. From pure "
        "noise it can only guess the mean of all that may come; detail comes in as noise goes, "
        "large scales first. The sample need not be the truth, but should look like it.",
    ),
    "variable": Caption(
        "One variable",
        "Everything about one variable. CRPS by lead, with the interval of other days of weather: "
        "the lower the better. Spread against the RMSE of the mean, from the hollow lead on, and "
        "their ratio: on the line, and at 1, an ensemble knows how wrong it is; below it is too "
        "sure. Rank histogram: how often the truth has each rank among the members, in multiples "
        "of the flat line; a U is too little spread, a slope a bias. Reliability of the middle "
        "threshold that the truth reached: on the diagonal the event comes as often as forecast. "
        "Fractions skill score of the same by width of the box: 1 is perfect; hollow is the "
        "probability-matched mean. Variance by wavelength over the truth's: members (thick) belong "
        "on 1, the mean (thin) falls off. All leads together but where leads are on the axis. "
        "Systems with hollow markers in the legend are known by mean and spread only.",
    ),
    "scorecard": Caption(
        "Scorecard",
        "The page with everything: the table of skill against the reference, all figures, models, "
        "completeness of the archive, the configuration in full, versions and known limits. It "
        "needs no network.",
    ),
}


def as_rst(name: str) -> str:
    """The caption as reStructuredText, a sentence a line."""
    caption = CAPTIONS[name]
    sentences = caption.text.replace(". ", ".\n")
    return f"**{caption.title}.**\n{sentences}\n"
