"""moto as a store: the only place that knows moto's inside."""
