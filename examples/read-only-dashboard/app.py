"""A dashboard of a table that another program writes, for people with an account."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import pandas as pd
import streamlit as st

import livetables as live

st.set_page_config(page_title="Orders", page_icon="📈", layout="wide")
st.title("Orders")


@dataclass(frozen=True)
class Order:
    """One order, as the table has it."""

    number: int
    region: str
    amount: Decimal
    ordered_at: datetime
    version: int


db = live.connect("supabase")
db.watch("orders", order="ordered_at.desc", row_type=Order, window=1000)
me = live.sign_in(create_accounts=True)
live.begin(user=me)


@live.fragment("orders", shared=True)
def totals(orders: list[Order]) -> None:
    """Show what has been ordered."""
    count, amount = st.columns(2)
    count.metric("Orders", len(orders))
    amount.metric("Amount", f"{sum(order.amount for order in orders):,.2f}")


@live.fragment("orders")
def regions(orders: list[Order]) -> None:
    """Show each region's share, and the newest orders."""
    frame = pd.DataFrame(
        [(order.region, float(order.amount)) for order in orders], columns=["Region", "Amount"]
    )
    st.bar_chart(frame.groupby("Region")["Amount"].sum(), height=240)
    newest = [{"Number": each.number, "Region": each.region, "Amount": each.amount} for each in orders[:10]]
    st.dataframe(newest, hide_index=True)


totals()
regions()
with st.container(horizontal=True, vertical_alignment="center"):
    live.badge()
    st.caption(me.email)
    st.button("Sign out", on_click=live.sign_out, type="tertiary")
