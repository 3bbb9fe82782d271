"""One compute thread: the thread pools of several test runs on one machine would wait for each other in loops."""

import torch

torch.set_num_threads(1)
