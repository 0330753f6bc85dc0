"""One ticket: thread, clocks, reasons, and every act on it as a form."""
