"use strict"; // A bare node: does nothing.
