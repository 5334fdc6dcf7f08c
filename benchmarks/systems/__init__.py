"""What is measured: one module a system, each a program of its own."""
