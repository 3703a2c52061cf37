"""The members of every system at every case, one file each."""
