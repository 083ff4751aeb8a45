"""The cookbook: each recipe is a hotline that is right, and whose calls go as written."""

import pytest

from tests.docs.pages import Site, sections

RECIPES = sections("cookbook.md")


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_works_as_it_stands(recipe, tmp_path):
    assert Site(tmp_path).run(RECIPES[recipe], everything=True) >= 2
