"""The tools that the kernel is proven with, for whoever writes hot functions of their own."""
