"""Files to records and back: the only room with paths and with units other than SI."""
