"""Whether the secrets that a deploy recipe certainly needs are there, asked before anything changes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from f0ci.core.errors import CannotWork, F0ciError, StepError
from f0ci.promotion.objects import require_tree
from f0ci.promotion.site import Site
from f0ci.promotion.state import Promotion

if TYPE_CHECKING:
    from f0ci.recipes.model import Recipe

_ASKED_EVERYWHERE = "environment"


def require_secrets(site: Site, promotion: Promotion) -> None:
    """Check that no step which is certain to run in a deployment lacks a secret.

    A recipe that stops for want of one would be taken for a bad release, and its environment be held. What only some
    deployments need (steps with a condition, handlers of errors, sub-recipes) is not looked at, nor are secrets in
    files, which may be mounted where the recipe runs, nor is a deployment that runs in another process.

    Raises:
        CannotWork: a secret is not set here.
        InputError: the tree of the first step cannot be made here.
    """
    deploys = promotion.plan.get("deploy")
    if site.apart is not None or promotion.purpose != "promote" or not deploys:
        return
    recipe = _rendered(site, promotion, str(deploys["recipe"]))
    if recipe is None:
        return
    from f0ci.core.redaction import Redactor
    from f0ci.environments.secrets import secret_references
    from f0ci.runner.secret_values import DEFAULT_PROVIDERS, SecretValues
    from f0ci.source.project import load_project

    providers = load_project(site.repository.tree(str(promotion.plan["source_commit"]))).secrets or DEFAULT_PROVIDERS
    if any(settings["provider"] != _ASKED_EVERYWHERE for settings in providers):
        return
    certain = [step for step in recipe.steps if step.condition in (None, True) and step.trigger is None]
    values = [dict(given) for step in certain for given in (step.env, step.arguments)]
    needed = [given for given in values if secret_references(given)]
    try:
        SecretValues(os.environ, environment=promotion.environment).filled_in(needed, Redactor())
    except StepError as error:
        raise CannotWork(
            f"nothing was changed: {promotion.id} would deploy with {deploys['recipe']!r}, and {error.message}",
            f"{error.hint}; then `f0ci promote {promotion.environment} --continue`, or, where the recipe is wrong, "
            f"`f0ci abort {promotion.id} --reason ...`",
        ) from error


def _rendered(site: Site, promotion: Promotion, path: str) -> Recipe | None:
    """Return the deploy recipe as the environment gets it, or None where it names no secret, or cannot be read."""
    from f0ci.environments.secrets import SCHEME
    from f0ci.recipes.reading import read_recipe

    oid = str(promotion.plan["steps"][0]["tree"])
    require_tree(site, promotion, 0, oid)
    tree = site.repository.tree(oid)
    try:
        return read_recipe(tree, path) if SCHEME.encode() in tree.read(path) else None
    except F0ciError:
        # the deployment says what is wrong with it
        return None
