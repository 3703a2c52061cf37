"""Every system's members at every case, in one file each."""
