"""An order, from the shop to the customer: five steps, none to be lost or done twice."""
