"""Small MuJoCo models with everything that the physics can be asked for."""
