"""Who an operator is, and what their roles allow."""

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Permission
from django.db.models import QuerySet

from apps.operators import roles
from apps.operators.models import Operator


class OperatorBackend(ModelBackend):
    """Finds an operator by e-mail or staff number; takes the permissions of groups from `roles`."""

    def _get_group_permissions(self, user_obj: Operator) -> QuerySet[Permission]:
        return roles.permissions_of(user_obj.groups.values_list("name", flat=True))

    def _get_user_permissions(self, user_obj: Operator) -> QuerySet[Permission]:
        """Return none: a permission comes with a role, so that who may do what can be reviewed."""
        del user_obj
        return Permission.objects.none()
