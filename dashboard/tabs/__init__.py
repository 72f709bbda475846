"""What stands on each tab of a deployment: questions in, tiles and charts out. No maths and no HTTP here."""
