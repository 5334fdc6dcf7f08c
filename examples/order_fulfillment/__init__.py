"""An order, from the shop's door to the customer's: five steps that must not be lost or done twice."""
