"""What time makes happen: sweeps, deliveries and schedules, all safe to run beside another worker."""
