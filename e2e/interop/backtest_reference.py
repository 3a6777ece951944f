"""Backtests by pandas and NumPy, written from the formulas in docs/market.md and not from Firn's code: prices as a
frame, momentum by resampling, holdings in money instead of units. Compares them with answers of Firn's.

    python backtest_reference.py PRICES.csv[.gz] < ANSWERS.json

PRICES is as `firn import prices` takes it; ANSWERS a list of {"name", "request", "answer"}, with "tickers" by meta_id
and the benchmark's ticker in the request. Prints a list of {"name", "ok", "detail"}; ok when no NAV point, weight or
metric is further off than 1e-9."""

import json
import sys

import numpy as np
import pandas as pd

TOLERANCE = 1e-9
FREQUENCY = {"monthly": "M", "quarterly": "Q", "yearly": "Y"}


def momentum(history: pd.DataFrame, day: pd.Timestamp) -> pd.Series | None:
    """Scores on a rebalance day, None where there are fewer than 13 completed month-ends."""
    months = history.groupby(history.index.to_period("M")).tail(1)
    ends = months[months.index.to_period("M") < day.to_period("M")].tail(13)
    if len(ends) < 13:
        return None
    return (ends.iloc[-1] / ends.iloc[:-1] - 1 > 0).mean()


def target(history: pd.DataFrame, day: pd.Timestamp, algorithm: str) -> pd.Series:
    if algorithm == "eq":
        return pd.Series(1 / history.shape[1], index=history.columns)
    scores = momentum(history, day)
    weights = pd.Series(0.0, index=history.columns)
    if scores is None:
        return weights
    best = scores.nlargest(4, keep="first")
    if best.sum() > 0:
        weights[best.index] = best / best.sum()
    return weights


def backtest(prices: pd.DataFrame, request: dict) -> tuple[pd.Series, pd.DataFrame]:
    """NAV by date, and target weights by rebalance day."""
    history = prices.dropna()
    window = history.loc[request["start_date"] : request["end_date"]]
    periods = window.index.to_period(FREQUENCY[request["rebal_freq"]])
    rebalance_days = window.index[~periods.duplicated()]
    returns = window.pct_change().fillna(0.0)
    cost = request["cost_bps"] / 1e4
    money = pd.Series(0.0, index=window.columns)
    cash = 1000.0
    nav, weights = {}, {}
    for day in window.index:
        money = money * (1 + returns.loc[day])
        value = money.sum() + cash
        if day in rebalance_days:
            wanted = target(history, day, request["algorithm"])
            value = value - (wanted - money / value).abs().sum() * cost * value
            money = wanted * value
            cash = value - money.sum()
            weights[day] = wanted
        nav[day] = value
    return pd.Series(nav), pd.DataFrame(weights).T


def metrics(nav: pd.Series) -> dict:
    r = nav.pct_change().dropna()
    at_risk = np.quantile(r, 0.05)
    return {
        "ann_ret": np.prod(1 + r) ** (252 / len(r)) - 1,
        "ann_vol": r.std(ddof=1) * np.sqrt(252),
        "sharpe": r.mean() / r.std(ddof=1) * np.sqrt(252),
        "mdd": (nav / nav.cummax() - 1).min(),
        "skew": r.skew(),
        "kurt": r.kurt(),
        "var": at_risk,
        "cvar": r[r <= at_risk].mean(),
    }


def far(ours, theirs) -> float:
    """The greatest distance, relative where the value is above 1."""
    ours, theirs = np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float)
    return float(np.max(np.abs(ours - theirs) / np.maximum(1.0, np.abs(theirs)), initial=0.0))


def compare(case: dict, prices: pd.DataFrame) -> dict:
    request, answer = case["request"], case["answer"]
    tickers = [case["tickers"][str(meta_id)] for meta_id in request["meta_ids"]]
    nav, weights = backtest(prices[tickers], request)
    dates = [str(day.date()) for day in nav.index]
    if [point["trade_date"] for point in answer["nav"]] != dates:
        return {"dates": np.inf}
    given = pd.DataFrame(answer["weights"]).pivot(index="rebal_date", columns="meta_id", values="weight").fillna(0.0)
    if list(given.index) != [str(day.date()) for day in weights.index]:
        return {"rebalance days": np.inf}
    figures = metrics(nav)
    differences = {
        "nav": far([point["value"] for point in answer["nav"]], nav),
        "weights": far(given[request["meta_ids"]], weights),
        "metrics": far([answer["metrics"][name] for name in figures], list(figures.values())),
    }
    if answer.get("benchmark"):
        own = prices[request["benchmark"]].reindex(nav.index)
        expected = own / own.iloc[0] * 1000
        differences["benchmark"] = far([point["value"] for point in answer["benchmark"]["nav"]], expected)
    return differences


def main() -> None:
    rows = pd.read_csv(sys.argv[1], parse_dates=["trade_date"])
    prices = rows.pivot(index="trade_date", columns="ticker", values="adj_close")
    outcomes = []
    for case in json.load(sys.stdin):
        differences = compare(case, prices)
        answer = case["answer"]
        points, days = len(answer["nav"]), len({row["rebal_date"] for row in answer["weights"]})
        detail = ", ".join(f"{name} {value:.1e}" for name, value in differences.items())
        ok = bool(max(differences.values()) <= TOLERANCE)
        outcomes.append({"name": case["name"], "ok": ok, "detail": f"{points} points, {days} rebalances: {detail}"})
    print(json.dumps(outcomes))


if __name__ == "__main__":
    main()
