"""What a run will cost, before anything is fetched: files, bytes, disk and hours of computing."""
