"""A trained model as a folder of its own, from which members are drawn with torch and NumPy only.

`predict.py` draws them; `gathering` puts it and all of the library that it needs into one file.
`writing` exports the network and what else belongs to it, and `card` describes the model.
"""
