package dev.jformer.data.algorithm;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;
import java.util.random.RandomGenerator;

/**
 * Whether two nodes of an undirected graph are connected: a problem that is believed to need more
 * than one pass (<a href="https://arxiv.org/abs/2310.07923">The Expressive Power of Transformers
 * with Chain of Thought</a>). A derivation names the nodes in the order of a breadth-first search.
 * Graphs are cycles or pairs of cycles, so that no local count tells them apart, and both answers
 * are as frequent.
 *
 * @param nodes number of nodes, at least 6
 * @param derivation whether the answer has the search, or yes or no only
 */
@AutoService(Problem.class)
public record GraphConnectivity(int nodes, boolean derivation) implements Problem {
  private static final String ANSWER = ">";
  private static final String YES = "yes";
  private static final String NO = "no";

  /** Defaults: twelve nodes, with the search. */
  public GraphConnectivity() {
    this(12, true);
  }

  /** Checks the values. */
  public GraphConnectivity {
    Checks.between("nodes", nodes, 6, 1000);
  }

  @Override
  public String type() {
    return "graph-connectivity";
  }

  @Override
  public String separator() {
    return " ";
  }

  @Override
  public List<String> symbols() {
    return Symbols.join(List.of(END, ANSWER, "-", "?", YES, NO), Symbols.numbers(0, nodes));
  }

  @Override
  public Example draw(RandomGenerator random) {
    Random shuffler = new Random(random.nextLong());
    List<Integer> order = new ArrayList<>();
    for (int i = 0; i < nodes; i++) {
      order.add(i);
    }
    Collections.shuffle(order, shuffler);
    boolean connected = random.nextBoolean();
    // Two cycles of three nodes at least; or one, of which the same two places are asked for.
    int cut = 3 + random.nextInt(nodes - 5);
    List<int[]> edges = new ArrayList<>();
    for (int i = 0; i < nodes; i++) {
      boolean closes = !connected && (i == cut - 1 || i == nodes - 1);
      int next = closes ? (i == cut - 1 ? 0 : cut) : (i + 1) % nodes;
      edges.add(new int[] {order.get(i), order.get(next)});
    }
    Collections.shuffle(edges, shuffler);
    int from = order.get(random.nextInt(cut));
    int to = order.get(cut + random.nextInt(nodes - cut));
    List<String> prompt = new ArrayList<>();
    for (int[] edge : edges) {
      boolean turned = random.nextBoolean();
      prompt.add(Integer.toString(edge[turned ? 1 : 0]));
      prompt.add("-");
      prompt.add(Integer.toString(edge[turned ? 0 : 1]));
    }
    prompt.addAll(List.of("?", Integer.toString(from), Integer.toString(to), ANSWER));
    List<String> answer = derivation ? search(edges, from, to) : new ArrayList<>();
    answer.add(connected ? YES : NO);
    return new Example(prompt, answer, Map.of("nodes", nodes, "connected", connected ? 1 : 0));
  }

  /** The nodes that are reached from one, nearer ones and smaller ones first, until the other. */
  private static List<String> search(List<int[]> edges, int from, int to) {
    List<Integer> reached = new ArrayList<>(List.of(from));
    for (int i = 0; i < reached.size() && !reached.contains(to); i++) {
      TreeSet<Integer> neighbours = new TreeSet<>();
      for (int[] edge : edges) {
        if (edge[0] == reached.get(i) || edge[1] == reached.get(i)) {
          neighbours.add(edge[0] == reached.get(i) ? edge[1] : edge[0]);
        }
      }
      neighbours.removeAll(reached);
      reached.addAll(neighbours);
    }
    List<String> symbols = new ArrayList<>();
    reached.forEach(node -> symbols.add(node.toString()));
    return symbols;
  }

  @Override
  public int mostSymbols() {
    return 3 * nodes + 4 + (derivation ? nodes : 0) + 1 + 1;
  }

  @Override
  public List<String> result(List<String> answer) {
    return answer.isEmpty() ? answer : answer.subList(answer.size() - 1, answer.size());
  }
}
