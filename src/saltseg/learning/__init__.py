"""The training of networks: training sets, augmentation, losses, schedules, the loop."""
