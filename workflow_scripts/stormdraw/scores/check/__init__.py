"""Our scores of a few cases beside those that other people's libraries make from the same files.

`opinion` reads the files with cfgrib and xarray alone and scores with properscoring and
xskillscore; of this library it uses the configuration, the table of variables and the run's seeds.
`agreement` compares that with what the summary says of the same case.
"""
