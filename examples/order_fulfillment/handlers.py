"""The steps of order_fulfillment.yaml: functions where that is enough, classes where it is not.

Each begins by saying so in the ledger, does its one thing, and pauses before it answers: the worst
moment to be killed, for the thing is done and nobody knows. Lengthen the pause to have a try.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field

from examples.order_fulfillment.ledger import Ledger
from tasker_core import StepContext, StepHandler, StepHandlerResult
from tasker_core.errors import BusinessLogicError
from tasker_core.step_handler import depends_on, inputs, step_handler

CARD_LIMIT_CENTS = 500_000


class Item(BaseModel):
    """A line of the order."""

    sku: str
    quantity: int = Field(ge=1)
    price_cents: int = Field(ge=0)


class OrderRequest(BaseModel):
    """What the task's context holds of the order."""

    order_id: str
    customer: str = Field(pattern=r"^[^@\s]+@[^@\s]+$")
    items: list[Item] = Field(min_length=1)


class Order(OrderRequest):
    """An order that can be fulfilled."""

    total_cents: int


@step_handler("validate_order")
@inputs(OrderRequest)
def validate_order(inputs: OrderRequest, context: StepContext) -> Order:
    """Add it up. What is wrong with it, the model has said already: that fails for good."""
    with at_work("validate_order", context):
        total = sum(item.quantity * item.price_cents for item in inputs.items)
    return Order(**inputs.model_dump(), total_cents=total)


class ReserveStock(StepHandler):
    """Sets the items aside; the template says in which warehouse."""

    def call(self, context: StepContext) -> StepHandlerResult:
        """Reserve all of them, or none."""
        order = Order.model_validate(context.get_dependency_result("validate_order"))
        limit = context.get_config("most_of_one_kind")
        for item in order.items:
            if item.quantity > limit:
                message = f"{item.quantity} of {item.sku} are wanted, and {limit} are there"
                return self.failure(message, error_type="out_of_stock", retryable=False)
        with at_work("reserve_stock", context) as ledger:
            items = {item.sku: item.quantity for item in order.items}
            ledger.once("reserved", items=items)
        return self.success({"warehouse": context.get_config("warehouse"), "items": items})


@step_handler("charge_card")
@depends_on(order=("validate_order", Order))
def charge_card(order: Order, context: StepContext) -> dict[str, Any]:
    """Take the money, once."""
    if order.total_cents > CARD_LIMIT_CENTS:
        raise BusinessLogicError("the card was declined", error_code="CARD_DECLINED")
    with at_work("charge_card", context) as ledger:
        charge = ledger.once("charged", cents=order.total_cents)
    return {"charged_cents": charge["cents"], "receipt": charge["key"]}


class ShipOrder(StepHandler):
    """Hands the parcel to the carrier that the template names."""

    def call(self, context: StepContext) -> StepHandlerResult:
        """Ship from where the stock was reserved."""
        warehouse = context.get_dependency_field("reserve_stock", "warehouse")
        tracking = f"{warehouse[:3].upper()}-{context.get_input('order_id')}"
        with at_work("ship_order", context) as ledger:
            ledger.once("shipped", tracking=tracking)
        return self.success({"carrier": context.get_config("carrier"), "tracking": tracking})


@step_handler("notify_customer")
@depends_on(order=("validate_order", Order), shipment="ship_order")
def notify_customer(order: Order, shipment: dict[str, str], context: StepContext) -> dict[str, str]:
    """Tell the customer where the parcel is."""
    text = f"{order.order_id} is on its way by {shipment['carrier']}: {shipment['tracking']}"
    with at_work("notify_customer", context) as ledger:
        ledger.once("notified", customer=order.customer, text=text)
    return {"notified": order.customer, "text": text}


@contextmanager
def at_work(step: str, context: StepContext) -> Iterator[Ledger]:
    """The ledger for what a step does, with a note before and a pause after."""
    path = Path(context.get_input_or("ledger", "order_ledger.jsonl"))
    ledger = Ledger(path, task=str(context.task_uuid))
    ledger.begin(step)
    yield ledger
    pause(step, float(os.environ.get("PAUSE_SECONDS", context.get_input_or("pause_seconds", 0))))


def pause(_step: str, seconds: float, /) -> None:
    """Time to kill the process in."""
    time.sleep(seconds)
