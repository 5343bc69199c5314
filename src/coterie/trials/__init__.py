"""Programs that load and measure a coterie; they ship with it."""
