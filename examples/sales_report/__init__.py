"""A year of sales: from a dirty CSV to a report and a picture."""
