"""What both programs stand on: ids, codes, limits, names, signatures. Imports nothing from coterie."""
