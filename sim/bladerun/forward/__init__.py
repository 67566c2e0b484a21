"""The stride run forward in time: simulator, controller, replay, other physics, an unadapted runner."""
