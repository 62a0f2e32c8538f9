"""Paths of the accounts service, below /app/v1/."""

from django.urls import path

from apps.customers.api import accounts, listings, sessions, tokens

urlpatterns = [
    path("sessions/challenges", sessions.ChallengesView.as_view()),
    path("sessions", sessions.SessionsView.as_view()),
    path("sessions/current", sessions.CurrentSessionView.as_view()),
    path("accounts", accounts.AccountsView.as_view()),
    path("accounts/<str:account_id>/otp-requests", accounts.OtpRequestsView.as_view()),
    path("accounts/<str:account_id>/pin-registrations", accounts.PinRegistrationsView.as_view()),
    path("accounts/<str:account_id>/pin-changes", accounts.PinChangesView.as_view()),
    path("banks", listings.BanksView.as_view()),
    path("account-listings", listings.ListingsView.as_view()),
    path("account-listings/<str:listing_id>", listings.ListingView.as_view()),
    path("account-listings/<str:listing_id>/links", listings.LinksView.as_view()),
    path("device-tokens", tokens.TokensView.as_view()),
    path("device-tokens/<str:token_id>", tokens.TokenView.as_view()),
    path("account-requests/<str:request_id>", accounts.AccountRequestView.as_view()),
]
