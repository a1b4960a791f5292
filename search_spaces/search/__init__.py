"""The search itself: what is suggested, stopped and remembered, in Optuna's study and behind Ray."""
