"""A small stochastic convection-allowing world, written as an archive.

The world is a Markov process: `state.State` is all it remembers, `world.World.step` advances it by
half an hour (h), and `surface.Surface.observe` gives the variables of the archive. A forecast from
the true state with its own noise is therefore a draw from the true forecast distribution, and an
ensemble of such draws is perfect (`perfect.draw_members`).

Hidden state
    c       steering wind, 2 numbers
    X_f,k   Fourier coefficients of seven random fields f on a periodic box around the window:
            temperature, moisture, inhibition (a warm lid), streamfunction, velocity potential,
            lift and texture
    P       cold pools, as Fourier coefficients
    H       heat stored in the ground, at each point
    cells   convective cells: position, motion, age, lifetime, peak reflectivity, radius

One step
    c   <- m + e^(-h/72) (c - m) + sqrt(1 - e^(-2h/72)) 2.0 z,  m = (9.0, 4.5) m/s   (hours)
    X_k <- e^(-h/tau_k) e^(-i k.(a c) h) X_k + sqrt(1 - e^(-2h/tau_k)) S_k^(1/2) z
           an Ornstein-Uhlenbeck process for each wave, exact over the step, advected by a
           share a of the steering wind; spectra S_k and times tau_k in `latents`
    P   <- e^(-h/2.5 - kappa k^2 h) e^(-i k.(0.6 c) h) (P + h Q),  Q from the strength of the cells
    H   <- S + e^(-h/4) (H - S),  S the sine of the solar elevation at the point's longitude and
           latitude, reduced by the shade of clouds (lift) and storms
    cells: each moves with c plus its own random motion (an Ornstein-Uhlenbeck process of 1.8 m/s
           and 1.5 h), ages, faster where its inflow has no CAPE, and dies at the end of its life.
           New ones are a Poisson process whose rate at a point depends on CAPE, CIN, convergence
           and H; it is simulated by thinning a process of the largest rate

with z standard normal numbers. Observed variables (`surface`, `physics`)
    T2M    a mean, warmed by H, cooled by altitude and cold pools, plus the temperature field
    D2M    a mean plus the moisture field, kept below T2M
    CAPE   from T2M, D2M and the lid; CIN from T2M and the lid, where there is CAPE
    U10    a share of c that grows with H, plus rotation, divergence, outflow of cold pools, gusts
    REFC   cells as bells in linear reflectivity, the rain that trails them, rain from lift, texture

Aloft (`upper_air`) are the steering wind with its rotation at 700 hPa, the temperature field at 850
hPa, and precipitable water from moisture and lift. Rain over an hour follows from the reflectivity
of the steps in it (`rain`). A configuration that has these variables finds them in all models'
files. A larger-scale model, GFS, forecasts the large scale of the fields aloft and at 2 m and 10 m
with an error that grows with the lead (`driving`).

Radars see the true reflectivity, with gaps, attenuation and noise, if it is compared with their
mosaic (`radar`).

Stations (`stations`) report the surface at places of their own, with errors of known size and the
faults of real ones.

HREF's and REFS's members are forecasts by other physics from imperfect states (`forecasts`).

Random numbers come from `stormdraw.seeds.generator_for` with labels: the same seed gives the same
files to the byte.
"""

# The observed variables of the world, which its archive always holds, and those that it holds as
# well if a configuration has them.
SIMULATED_VARIABLES = ("REFC", "T2M", "D2M", "U10", "V10", "CAPE", "CIN")
SIMULATED_ON_REQUEST = ("PWAT", "APCP", "T850", "U700", "V700")

# The larger-scale model of the world, and what its files hold.
SIMULATED_DRIVING_MODEL = "gfs"
SIMULATED_DRIVING = ("T2M", "D2M", "U10", "V10", "T850", "U700", "V700", "PWAT")
