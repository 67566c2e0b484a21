"""The runner: anthropometry, amputation, joints, reference running, and how far each may be off."""
