"""Speed and memory as ratios inside one run: ours beside a reference on the same machine."""
