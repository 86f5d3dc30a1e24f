"""Owns how IAM compares text: wildcards, policy variables, actions, resources
and the parts of ARNs. Knows no statement and no service.

UG below is https://docs.aws.amazon.com/IAM/latest/UserGuide/
"""

import functools
import re

# Tokens of a pattern that are not literal characters.
ANY, ONE = object(), object()

# Services of which the name of every resource begins with its type, among those that the local AWS has.
_TYPED = frozenset(("ec2", "ecs", "iam", "kms", "lambda", "logs", "ssm"))

# UG reference_policies_variables.html#policy-vars-using-variables: "${" name "}", with a default in single quotes.
_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_WITH_DEFAULT = re.compile(r"^\s*(.*?)\s*,\s*'(.*)'\s*$", re.DOTALL)


def tokens(text, context=None):
    """Returns the literals and wildcards of a policy value; None if a variable in it has no value.

    Variables are replaced from `context` (lower-case key -> list of values); with None they are literal text,
    as in policies older than version 2012-10-17. What a variable is replaced by is literal: a tag that holds
    an asterisk matches an asterisk.
    """
    if context is None or "${" not in text:
        return _wildcards(text)
    found, end = [], 0
    for variable in _VARIABLE.finditer(text):
        found += _wildcards(text[end : variable.start()])
        value = _value(variable.group(1), context)
        if value is None:
            return None
        found.append(value)
        end = variable.end()
    return found + _wildcards(text[end:])


def literal(text, context=None):
    """Returns a policy value in which wildcards mean nothing, with its variables replaced; None as `tokens`."""
    found = tokens(text, context)
    return None if found is None else "".join({id(ANY): "*", id(ONE): "?"}.get(id(item), item) for item in found)


def like(text, value, context=None):
    """Returns whether a value fits a pattern whose `*` and `?` match anything, colons and slashes included."""
    found = tokens(text, context)
    return found is not None and _fits(tuple(found), value)


def action_matches(pattern, action):
    """Returns whether an action fits: "the prefix and the action name are case insensitive".

    UG reference_policies_elements_action.html
    """
    return _fits(tuple(_wildcards(pattern.lower())), action.lower())


def resource_matches(pattern, resource, context=None, completes=True):
    """Returns whether the ARN of a resource, or `*`, fits an entry of Resource.

    Wildcards match within a segment; "if the asterisk is the last character of a resource ARN segment, it can
    expand to match beyond the colon boundaries" (UG reference_policies_elements_resource.html). Variables stand
    "only in the resource portion of the ARN", and without a value match nothing (UG reference_policies_variables.html).
    """
    if pattern == "*":
        return True
    parts = pattern.split(":", 5)
    if context is not None and "${" in pattern and (len(parts) < 6 or any("${" in part for part in parts[:5])):
        return False
    found = tokens(pattern, context)
    if found is None:
        return False
    if has_doubtful_type(pattern):
        return False
    # "When you specify an incomplete ARN (one with fewer than the standard six fields) in an identity-based policy, AWS
    # automatically completes the ARN by adding wildcard characters (*) to all missing fields"
    # (UG reference_identifiers.html#identifiers-arns).
    completed = [*found, *([":", ANY] * (6 - len(parts) if completes else 0))]
    return any(_fits(tuple(one), resource, by_segment=True) for one in (found, completed))


def has_doubtful_type(pattern):
    """Returns whether a wildcard is in the type of the resource: "Don't use a wildcard in the user/, group/, or policy/ part
    of the ARN. For example, IAM does not allow the following: arn:aws:iam::123456789012:u*".

    UG reference_identifiers.html#identifiers-arns. An ARN of all types is used by AWS itself, as `*` or `*/*`:
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/supported-iam-actions-tagging.html
    """
    parts = pattern.split(":", 5)
    if len(parts) < 6 or parts[2] not in _TYPED or not parts[5].strip("*/:"):
        return False
    kind = re.split("[/:]", parts[5])[0]
    return "${" not in kind and ("*" in kind or "?" in kind)


def arn_like(pattern, value, context=None):
    """Returns whether an ARN fits: "each of the six colon-delimited components of the ARN is checked separately".

    UG reference_policies_elements_condition_operators.html#Conditions_ARN
    """
    if pattern == "*":
        # Not an ARN by the letter, but in wide use for any.
        pattern = "*:*:*:*:*:*"
    # The colon of "${aws:username}" separates nothing.
    held = [] if context is None else _VARIABLE.findall(pattern)
    wanted = [part.replace("\0", ":") for part in _hide(pattern, held).split(":", 5)]
    given = value.split(":", 5)
    if len(wanted) != 6 or len(given) != 6:
        return False
    return all(like(part, other, context) for part, other in zip(wanted, given))


def _hide(pattern, variables):
    for variable in variables:
        pattern = pattern.replace("${" + variable + "}", "${" + variable.replace(":", "\0") + "}")
    return pattern


def _value(variable, context):
    # "${*}", "${?}" and "${$}" are the characters themselves: UG reference_policies_variables.html#policy-vars-specialchars
    if variable in ("*", "?", "$"):
        return variable
    default = None
    found = _WITH_DEFAULT.match(variable)
    if found:
        variable, default = found.groups()
    values = context.get(variable.strip().lower(), [])
    # "You can't use a multivalued context key as a policy variable":
    # UG reference_policies_condition-single-vs-multi-valued-context-keys.html
    return values[0] if len(values) == 1 else default


def _wildcards(text):
    found = []
    for part in re.split(r"([*?])", text):
        if part:
            found.append({"*": ANY, "?": ONE}.get(part, part))
    return found


def _fits(found, value, by_segment=False):
    return _expression(found, by_segment).fullmatch(value) is not None


@functools.lru_cache(maxsize=65_536)
def _expression(found, by_segment):
    parts, n_colons = [], 0
    for number, item in enumerate(found):
        # The sixth segment is the rest of the ARN, with all of its colons.
        bounded = by_segment and n_colons < 5
        if item is ONE:
            parts.append("[^:]" if bounded else ".")
        elif item is ANY:
            following = found[number + 1] if number + 1 < len(found) else ":"
            ends_segment = following in (ANY, ONE) or following.startswith(":")
            parts.append("[^:]*" if bounded and not ends_segment else ".*")
        else:
            parts.append(re.escape(item))
            n_colons += item.count(":")
    return re.compile("".join(parts), re.DOTALL)
