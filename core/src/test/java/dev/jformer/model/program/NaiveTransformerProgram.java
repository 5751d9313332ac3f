package dev.jformer.model.program;

import dev.jformer.nn.Parameter;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.IntUnaryOperator;

/**
 * A Transformer Program in plain loops and double precision, one token and one head at a time, as
 * the paper's formulas are written. Gumbel noise is drawn as the model draws it: one tensor for
 * each kind of choice, in the model's order.
 */
final class NaiveTransformerProgram {
  private final TransformerProgram.Config config;
  private final Map<String, Parameter> weights;
  private final double temperature;

  /** By token: categorical variables, then numbers. */
  private List<List<double[]>> categorical;

  private List<List<Double>> numbers;

  NaiveTransformerProgram(TransformerProgram model, double temperature) {
    this.config = model.config();
    this.weights = model.parameters();
    this.temperature = temperature;
  }

  private double[] flat(String name) {
    Tensor value = weights.get(name).value().detach();
    return value.rank() == 1
        ? value.to(dev.jformer.tensor.DType.FLOAT64).toDoubles()
        : value.to(dev.jformer.tensor.DType.FLOAT64).flatten(0, value.rank() - 1).toDoubles();
  }

  /** The place of a logit [count, T, V] in the model's order, [count, V, T]. */
  private int at(int index, int length) {
    int size = config.values();
    int value = index % size;
    int token = index / size % length;
    int perceptron = index / size / length;
    return (perceptron * size + value) * length + token;
  }

  private double[][] choose(double[] logits, int size, long... shape) {
    return choose(logits, size, index -> index, shape);
  }

  /**
   * Weights of rows of {@code size} logits, with noise.
   *
   * @param place the place of a logit's noise among those drawn
   */
  private double[][] choose(double[] logits, int size, IntUnaryOperator place, long... shape) {
    double[] uniform =
        Tensor.rand(shape)
            .flatten(0, shape.length - 1)
            .to(dev.jformer.tensor.DType.FLOAT64)
            .toDoubles();
    double[][] rows = new double[logits.length / size][size];
    for (int row = 0; row < rows.length; row++) {
      double sum = 0;
      double largest = Double.NEGATIVE_INFINITY;
      for (int i = 0; i < size; i++) {
        double u = Math.min(1 - 1e-7, Math.max(1e-10, uniform[place.applyAsInt(row * size + i)]));
        rows[row][i] = (logits[row * size + i] - Math.log(-Math.log(u))) / temperature;
        largest = Math.max(largest, rows[row][i]);
      }
      for (int i = 0; i < size; i++) {
        rows[row][i] = Math.exp(rows[row][i] - largest);
        sum += rows[row][i];
      }
      for (int i = 0; i < size; i++) {
        rows[row][i] /= sum;
      }
    }
    return rows;
  }

  /** The mixture of a token's variables by the weights of a choice. */
  private double[] read(int token, double[] weightsOfVariables) {
    double[] mixed = new double[config.values()];
    for (int v = 0; v < weightsOfVariables.length; v++) {
      for (int i = 0; i < mixed.length; i++) {
        mixed[i] += weightsOfVariables[v] * categorical.get(token).get(v)[i];
      }
    }
    return mixed;
  }

  private double number(int token, double[] weightsOfNumbers) {
    double mixed = 0;
    for (int n = 0; n < weightsOfNumbers.length; n++) {
      mixed += weightsOfNumbers[n] * numbers.get(token).get(n);
    }
    return mixed;
  }

  /** The learned variables of tokens, one token after the other: a choice of a code for each. */
  private double[][] codes(int[] tokens) {
    double[] all = flat("codes");
    int size = config.tokenVariables() * config.values();
    double[] some = new double[tokens.length * size];
    for (int i = 0; i < tokens.length; i++) {
      System.arraycopy(all, tokens[i] * size, some, i * size, size);
    }
    return choose(some, config.values(), tokens.length, config.tokenVariables(), config.values());
  }

  /** Logits of the labels of each token of one sequence. */
  double[][] logits(int... ids) {
    int length = ids.length;
    categorical = new ArrayList<>();
    numbers = new ArrayList<>();
    int[] different = Arrays.stream(ids).sorted().distinct().toArray();
    double[][] codes = config.tokenVariables() == 0 ? null : codes(different);
    for (int i = 0; i < length; i++) {
      double[] position = new double[config.values()];
      position[i] = 1;
      List<double[]> own = new ArrayList<>();
      if (codes == null) {
        double[] token = new double[config.values()];
        token[ids[i]] = 1;
        own.add(token);
        own.add(position);
      } else {
        own.add(position);
        int row = Arrays.binarySearch(different, ids[i]) * config.tokenVariables();
        own.addAll(Arrays.asList(codes).subList(row, row + config.tokenVariables()));
      }
      categorical.add(own);
      numbers.add(new ArrayList<>(List.of(1.0)));
    }
    for (int block = 0; block < config.layers(); block++) {
      block("blocks." + block + ".", length);
    }
    double[] scores = flat("scores");
    double[] numberScores = flat("number_scores");
    double[][] logits = new double[length][config.labels()];
    for (int t = 0; t < length; t++) {
      for (int label = 0; label < config.labels(); label++) {
        for (int v = 0; v < categorical.get(t).size(); v++) {
          for (int i = 0; i < config.values(); i++) {
            logits[t][label] +=
                categorical.get(t).get(v)[i]
                    * scores[(v * config.values() + i) * config.labels() + label];
          }
        }
        for (int n = 0; n < numbers.get(t).size(); n++) {
          logits[t][label] += numbers.get(t).get(n) * numberScores[n * config.labels() + label];
        }
      }
    }
    return logits;
  }

  private void block(String place, int length) {
    int size = config.values();
    int selecting = config.categoricalHeads();
    int heads = selecting + config.numericalHeads();
    int variables = categorical.get(0).size();
    int count = numbers.get(0).size();
    double[][] queries = choose(flat(place + "queries"), variables, heads, variables);
    double[][] predicates = choose(flat(place + "predicates"), size, heads, size, size);
    double[][] keys = choose(flat(place + "keys"), variables, heads, variables);
    double[][][] match = new double[heads][length][length];
    for (int h = 0; h < heads; h++) {
      for (int i = 0; i < length; i++) {
        double[] query = read(i, queries[h]);
        for (int j = 0; j < length; j++) {
          double[] key = read(j, keys[h]);
          for (int a = 0; a < size; a++) {
            for (int b = 0; b < size; b++) {
              match[h][i][j] += query[a] * predicates[h * size + a][b] * key[b];
            }
          }
        }
      }
    }
    double[] scores = new double[selecting * length * length];
    for (int h = 0; h < selecting; h++) {
      for (int i = 0; i < length; i++) {
        double found = 0;
        for (int j = 0; j < length; j++) {
          found += sees(i, j) ? match[h][i][j] : 0;
        }
        for (int j = 0; j < length; j++) {
          double none = j == 0 ? Math.max(0, 1 - found / (found + 1e-10)) : 0;
          double bias =
              i == j ? -2 : -(Math.abs(i - j) - 1.0) / length - (j > i ? 0.5 / length : 0);
          scores[(h * length + i) * length + j] =
              sees(i, j)
                  ? (Math.log(match[h][i][j] + none + 1e-20) + bias) / Math.sqrt(size)
                  : -1e30;
        }
      }
    }
    double[][] attention = choose(scores, length, selecting, length, length, 1);
    double[][] values = choose(flat(place + "values"), variables, selecting, variables);
    double[][] counted = choose(flat(place + "counted"), count, config.numericalHeads(), count);
    List<List<double[]>> taken = new ArrayList<>();
    List<List<Double>> sums = new ArrayList<>();
    for (int i = 0; i < length; i++) {
      taken.add(new ArrayList<>());
      sums.add(new ArrayList<>());
      for (int h = 0; h < selecting; h++) {
        double[] result = new double[size];
        for (int j = 0; j < length; j++) {
          double[] value = read(j, values[h]);
          for (int a = 0; a < size; a++) {
            result[a] += attention[h * length + i][j] * value[a];
          }
        }
        taken.get(i).add(result);
      }
      for (int h = 0; h < config.numericalHeads(); h++) {
        double sum = 0;
        for (int j = 0; j < length; j++) {
          sum += sees(i, j) ? match[selecting + h][i][j] * number(j, counted[h]) : 0;
        }
        sums.get(i).add(sum);
      }
    }
    for (int i = 0; i < length; i++) {
      categorical.get(i).addAll(taken.get(i));
      numbers.get(i).addAll(sums.get(i));
    }
    double[][][] tables = perceptrons(place + "tables.", config.categoricalMlps(), size, length);
    double[][][] rules = perceptrons(place + "rules.", config.numericalMlps(), 1, length);
    for (int i = 0; i < length; i++) {
      for (double[][] table : tables) {
        categorical.get(i).add(table[i]);
      }
      for (double[][] rule : rules) {
        categorical.get(i).add(rule[i]);
      }
    }
  }

  private boolean sees(int query, int key) {
    return !config.causal() || key <= query;
  }

  /** What perceptrons of one kind give for each token. */
  private double[][][] perceptrons(String place, int count, int inputs, int length) {
    int variables = inputs == 1 ? numbers.get(0).size() : categorical.get(0).size();
    double[][] reads = choose(flat(place + "read"), variables, count, 2, variables);
    double[] in = flat(place + "in.weight");
    double[] inBias = flat(place + "in.bias");
    double[] out = flat(place + "out.weight");
    double[] outBias = flat(place + "out.bias");
    int hidden = config.hidden();
    int size = config.values();
    double[] logits = new double[count * length * size];
    for (int p = 0; p < count; p++) {
      for (int t = 0; t < length; t++) {
        double[] both = new double[2 * inputs];
        for (int r = 0; r < 2; r++) {
          double[] weightsOf = reads[2 * p + r];
          double[] part = inputs == 1 ? new double[] {number(t, weightsOf)} : read(t, weightsOf);
          System.arraycopy(part, 0, both, r * inputs, inputs);
        }
        double[] units = new double[hidden];
        for (int u = 0; u < hidden; u++) {
          units[u] = inBias[p * hidden + u];
          for (int i = 0; i < both.length; i++) {
            units[u] += both[i] * in[(p * both.length + i) * hidden + u];
          }
          units[u] = Math.max(0, units[u]);
        }
        for (int v = 0; v < size; v++) {
          double sum = outBias[p * size + v];
          for (int u = 0; u < hidden; u++) {
            sum += units[u] * out[(p * hidden + u) * size + v];
          }
          logits[(p * length + t) * size + v] = sum;
        }
      }
    }
    double[][] chosen = choose(logits, size, index -> at(index, length), count, size, length);
    double[][][] results = new double[count][length][];
    for (int p = 0; p < count; p++) {
      results[p] = Arrays.copyOfRange(chosen, p * length, (p + 1) * length);
    }
    return results;
  }
}
