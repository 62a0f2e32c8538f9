"""What the bugs are called, and which promise each of them breaks."""

# The promise that each bug breaks, by the bug's name.
BUGS = {
    "drops an accepted payment": "no_acceptance_is_lost",
    "debits again on a repeat": "books_are_the_journal",
    "answers another payment for a used key": "one_payment_per_key",
    "lets a status go back": "states_never_go_back",
    "answers a credit that it does not post": "books_are_the_journal",
    "debits what it declines": "books_are_the_journal",
    "posts a reversal twice": "books_are_the_journal",
}
