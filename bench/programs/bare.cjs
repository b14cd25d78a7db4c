// A bare node: does nothing.
