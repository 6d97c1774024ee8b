"""Where the programme goes: each output with a bounded queue and a thread of its own."""
