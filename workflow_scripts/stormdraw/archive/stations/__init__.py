"""Reports of weather stations at full hours: truth that no model was trained on."""
