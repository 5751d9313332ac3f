package dev.jformer.incontext;

import dev.jformer.config.Checks;
import java.util.List;

/**
 * One layer of attention and a decoder in the form whose training is understood (<a
 * href="https://arxiv.org/abs/2305.16380">Scan and Snap: Understanding Training Dynamics and Token
 * Composition in 1-layer Transformer</a>): a matrix Z of attention logits of each token for each
 * last token, and a matrix Y from tokens to logits of the next one, both starting at 0. The
 * attended tokens are scaled to length 1 and decoded; there are no positions and no residual.
 * Trained by gradient descent with momentum and a rate for each matrix, on exact gradients written
 * out here.
 */
public final class OneLayerDecoder {
  private final int tokens;
  private final double[][] attention; // Z: of a token, by last token
  private final double[][] decoder; // Y: of a next token, by token
  private final double[][] attentionSpeed;
  private final double[][] decoderSpeed;
  private final double attentionRate;
  private final double decoderRate;
  private final double momentum;

  /**
   * A model of zeros.
   *
   * @param tokens number of tokens
   * @param attentionRate η of Z
   * @param decoderRate η of Y
   */
  public OneLayerDecoder(int tokens, double attentionRate, double decoderRate, double momentum) {
    Checks.atLeast("tokens", tokens, 1);
    Checks.moreThan("attentionRate", attentionRate, 0);
    Checks.moreThan("decoderRate", decoderRate, 0);
    Checks.share("momentum", momentum);
    this.tokens = tokens;
    this.attentionRate = attentionRate;
    this.decoderRate = decoderRate;
    this.momentum = momentum;
    attention = new double[tokens][tokens];
    decoder = new double[tokens][tokens];
    attentionSpeed = new double[tokens][tokens];
    decoderSpeed = new double[tokens][tokens];
  }

  /** The attention logits of each token for a last token. */
  public double[] logits(int last) {
    return attention[last].clone();
  }

  /** The attention that each token gets where all tokens stand as often as given. */
  public double[] attention(int last, double[] frequencies) {
    double[] weights = new double[tokens];
    double sum = 0;
    double highest = Double.NEGATIVE_INFINITY;
    for (int t = 0; t < tokens; t++) {
      if (frequencies[t] > 0) {
        highest = Math.max(highest, attention[last][t]);
      }
    }
    for (int t = 0; t < tokens; t++) {
      weights[t] = frequencies[t] > 0 ? frequencies[t] * Math.exp(attention[last][t] - highest) : 0;
      sum += weights[t];
    }
    for (int t = 0; t < tokens; t++) {
      weights[t] /= sum;
    }
    return weights;
  }

  /** The size of all attention logits: the root of their squares' sum. */
  public double attentionNorm() {
    double sum = 0;
    for (double[] row : attention) {
      for (double value : row) {
        sum += value * value;
      }
    }
    return Math.sqrt(sum);
  }

  /** What a sequence makes of the weights: attention, its scaled form, and probabilities. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Pass(double[] attended, double norm, double[] scaled, double[] probabilities) {}

  private Pass pass(CooccurrenceSource.Sequence sequence) {
    double[] frequencies = new double[tokens];
    for (int t = 0; t < tokens; t++) {
      frequencies[t] = sequence.counts()[t];
    }
    double[] attended = attention(sequence.last(), frequencies);
    double square = 0;
    for (double weight : attended) {
      square += weight * weight;
    }
    double norm = Math.sqrt(square);
    double[] scaled = new double[tokens];
    for (int t = 0; t < tokens; t++) {
      scaled[t] = attended[t] / norm;
    }
    double[] probabilities = new double[tokens];
    double highest = Double.NEGATIVE_INFINITY;
    for (int n = 0; n < tokens; n++) {
      for (int t = 0; t < tokens; t++) {
        probabilities[n] += decoder[n][t] * scaled[t];
      }
      highest = Math.max(highest, probabilities[n]);
    }
    double sum = 0;
    for (int n = 0; n < tokens; n++) {
      probabilities[n] = Math.exp(probabilities[n] - highest);
      sum += probabilities[n];
    }
    for (int n = 0; n < tokens; n++) {
      probabilities[n] /= sum;
    }
    return new Pass(attended, norm, scaled, probabilities);
  }

  /** The mean loss of sequences, in nats. */
  public double loss(List<CooccurrenceSource.Sequence> sequences) {
    return sequences.stream()
        .mapToDouble(s -> -Math.log(Math.max(1e-300, pass(s).probabilities[s.next()])))
        .average()
        .orElse(Double.NaN);
  }

  /** One update on a batch; the mean loss before it, in nats. */
  public double learn(List<CooccurrenceSource.Sequence> batch) {
    double[][] attentionSlope = new double[tokens][tokens];
    double[][] decoderSlope = new double[tokens][tokens];
    double loss = gradients(batch, attentionSlope, decoderSlope);
    move(attention, attentionSpeed, attentionSlope, attentionRate);
    move(decoder, decoderSpeed, decoderSlope, decoderRate);
    return loss;
  }

  /** Adds the gradients of the mean loss, which is returned. */
  double gradients(
      List<CooccurrenceSource.Sequence> batch, double[][] attentionSlope, double[][] decoderSlope) {
    double loss = 0;
    for (CooccurrenceSource.Sequence sequence : batch) {
      Pass pass = pass(sequence);
      loss -= Math.log(Math.max(1e-300, pass.probabilities[sequence.next()])) / batch.size();
      double[] scaledSlope = new double[tokens];
      for (int n = 0; n < tokens; n++) {
        double error = pass.probabilities[n] - (n == sequence.next() ? 1 : 0);
        for (int t = 0; t < tokens; t++) {
          decoderSlope[n][t] += error * pass.scaled[t] / batch.size();
          scaledSlope[t] += error * decoder[n][t];
        }
      }
      double along = product(scaledSlope, pass.scaled);
      double[] attendedSlope = new double[tokens];
      for (int t = 0; t < tokens; t++) {
        attendedSlope[t] = (scaledSlope[t] - along * pass.scaled[t]) / pass.norm;
      }
      double mean = product(attendedSlope, pass.attended);
      for (int t = 0; t < tokens; t++) {
        attentionSlope[sequence.last()][t] +=
            pass.attended[t] * (attendedSlope[t] - mean) / batch.size();
      }
    }
    return loss;
  }

  private static double product(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }

  private void move(double[][] weights, double[][] speed, double[][] slope, double rate) {
    for (int i = 0; i < tokens; i++) {
      for (int j = 0; j < tokens; j++) {
        speed[i][j] = momentum * speed[i][j] + slope[i][j];
        weights[i][j] -= rate * speed[i][j];
      }
    }
  }

  /** Changes a weight, for tests of the gradients. */
  void shift(boolean isDecoder, int row, int column, double by) {
    (isDecoder ? decoder : attention)[row][column] += by;
  }
}
