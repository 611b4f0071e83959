from __future__ import annotations

from django.test import Client

from django_partnerstack.models import Reward

from ..conftest import list_url, shown


def test_rewards_can_be_filtered_by_status(browser: Client) -> None:
    Reward.objects.create(mode="test", key="a", reward_status="paid")
    Reward.objects.create(mode="test", key="b", reward_status="hold")
    assert shown(browser, list_url(Reward), reward_status="hold") == ["b"]
