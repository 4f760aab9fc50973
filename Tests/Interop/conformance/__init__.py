"""What the matrix of interoperability tests is made of: peers that are built, started and run."""
