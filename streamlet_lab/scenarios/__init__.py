"""Worked scenarios as text: what is done, and what must come of it.

The lab's own are the ``.txt`` files of this folder, by name; anyone can write another. Epochs count
from 0. The first line names the scenario, in those after it ``#`` begins a comment::

    scenario NAME: one sentence that says what it shows

A block is written as its epoch, with a tag where an epoch has several (``4``, ``4A``), a chain as
its blocks (``0-1-4A``, ``0..3-5``, ``none``).

Block trees alone::

    chain 0-1-2 on 4A            new blocks, on genesis unless said
    notarize 0 2 4..6 in X       a quorum of votes, in this order; in one view, or in all

The bare protocol on a network::

    nodes = 4                    any setting of an experiment but epochs, as a line of TOML
    node_3 proposes 2X on 1 to node_0,node_1 at 59us
    node_2,node_3 vote 2X at 69us
    deliver votes of 0..2 from node_0 to node_2 sent 0us..30us at 40us   (or: after 3us)
    lose messages to node_3      each part of these two may be left out
    run 12                       some more epochs

Nodes that a line lets speak are faulty: they say what is written and nothing else. ``at`` is the
time of arrival. What is expected may stand between the commands::

    expect longest 0..2, final 0-1               in every honest view and the observer's
    expect node_0, node_1: longest 0..2|0-1-3    two chains of one length
    expect guilty node_2, node_3                 whom the votes convict; or none
    expect consistency holds                     a check: holds, violated, or not applicable

A whole one, which ``streamlet-lab scenario FILE`` plays if it is a file:

>>> mine = Scenario('''scenario silent: where a leader is silent an epoch is missing
... nodes = 4
... faults.node_2 = "silent_leader"    # it leads epoch 2
... run 4
... expect longest 0-1-3, final 0
... run 2
... expect longest 0-1-3..5, final 0-1-3-4
... expect consistency holds
... ''')
>>> print(mine.run())
silent: where a leader is silent an epoch is missing
  met: expect longest 0-1-3, final 0
  met: expect longest 0-1-3..5, final 0-1-3-4
  met: expect consistency holds
3 of 3 expectations met
"""

from streamlet_lab.scenarios.runs import Outcome as Outcome
from streamlet_lab.scenarios.runs import Scenario as Scenario
from streamlet_lab.scenarios.runs import ScenarioRun as ScenarioRun
from streamlet_lab.scenarios.runs import scenario as scenario
from streamlet_lab.scenarios.runs import scenario_names as scenario_names
