// A precompiled header needs a target with a source file; the header is all that this one is for.
