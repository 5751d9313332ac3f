package dev.jformer.mixer;

import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.jformer.config.Configs;
import dev.jformer.mixer.attention.Attention;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Linear;
import dev.jformer.position.NoPosition;
import dev.jformer.position.Position;
import dev.jformer.position.Rope;
import dev.jformer.position.RopeAlibi;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Random;
import dev.jformer.testing.MixerLaws;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Weights;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The laws of token mixers, for every mixer of the library, causal and looking both ways, with and
 * without positions, at lengths around and beyond blocks, chunks and kernels, in float32 and
 * float64.
 */
@ExtendWith(Scoped.class)
class MixerLawsTest {
  private static final int WIDTH = 16;
  private static final int LENGTH = 256;

  /** Configurations beside each mixer's default: small blocks, and other kinds. */
  private static final List<String> VARIANTS =
      List.of(
          "{'type':'softmax','keyValueHeads':2}",
          "{'type':'pr-flash','block':16}",
          "{'type':'longformer','window':5,'dilation':3,'global':2}",
          "{'type':'longformer','window':1000,'dilation':7}",
          "{'type':'reformer','chunk':16,'rounds':3}",
          "{'type':'reformer','chunk':8,'rounds':1}",
          "{'type':'combiner','block':8}",
          "{'type':'combiner','kind':'axial','block':8,'pool':'mean'}",
          "{'type':'combiner','kind':'log-sparse','block':8}",
          "{'type':'performer','features':20}",
          "{'type':'pooling','size':7}",
          "{'type':'convolution','size':7}");

  /** A mixer to be built, and the type of its numbers. */
  record Case(TokenMixer.Config config, Position.Config position, boolean causal, DType dtype) {
    @Override
    public String toString() {
      return String.join(
          " ",
          config.type(),
          config.toString(),
          position.type(),
          causal ? "causal" : "both ways",
          dtype.toString());
    }

    TokenMixer build() {
      Random.seed(5);
      BlockContext.Init init = new BlockContext.Init();
      BlockContext context =
          new BlockContext(WIDTH, 0, 2, LENGTH, causal, true, 0, init, new Linear.Config());
      int heads = config.heads();
      Position built = position.build(WIDTH, heads, WIDTH / heads, LENGTH);
      TokenMixer mixer = Weights.draw(config.build(context, built));
      mixer
          .parameters()
          .values()
          .forEach(
              parameter -> {
                if (parameter.value().dtype().isFloating()) {
                  parameter.replace(parameter.value().to(dtype));
                }
              });
      mixer.train(false);
      return mixer;
    }

    MixerLaws laws(TokenMixer mixer) {
      return new MixerLaws(mixer, WIDTH, dtype);
    }
  }

  private static final List<Case> CASES = allCases();

  static List<Case> cases() {
    return CASES;
  }

  private static List<Case> allCases() {
    List<TokenMixer.Config> configs =
        new ArrayList<>(Configs.parts(TokenMixer.Config.class).values());
    for (String variant : VARIANTS) {
      configs.add(Configs.parse(variant.replace('\'', '"'), TokenMixer.Config.class));
    }
    List<Case> cases = new ArrayList<>();
    for (TokenMixer.Config config : configs) {
      for (boolean causal : new boolean[] {true, false}) {
        for (Position.Config position : positions(config, causal)) {
          cases.add(new Case(config, position, causal, DType.FLOAT32));
          cases.add(new Case(config, position, causal, DType.FLOAT64));
        }
      }
    }
    return cases;
  }

  /** No position, and the strongest one that a mixer takes; none if it cannot be built. */
  private static List<Position.Config> positions(TokenMixer.Config config, boolean causal) {
    List<Position.Config> positions = new ArrayList<>();
    for (Position.Config position :
        List.of(new NoPosition.Config(), new RopeAlibi.Config(), new Rope.Config())) {
      try (TokenMixer mixer = new Case(config, position, causal, DType.FLOAT32).build()) {
        boolean more = mixer instanceof Attention ? positions.size() < 2 : positions.isEmpty();
        if (more) {
          positions.add(position);
        }
      } catch (IllegalArgumentException e) {
        // Refused with a reason: biases of pairs, or a direction.
        assertFalse(e.getMessage().isBlank());
      }
    }
    return positions;
  }

  @ParameterizedTest
  @MethodSource("cases")
  void laterTokensAreNotSeen(Case each) {
    if (each.causal()) {
      try (TokenMixer mixer = each.build()) {
        each.laws(mixer).isCausal();
      }
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void paddingChangesNoToken(Case each) {
    try (TokenMixer mixer = each.build()) {
      each.laws(mixer).ignoresPadding();
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void sequencesOfABatchAreIndependent(Case each) {
    try (TokenMixer mixer = each.build()) {
      each.laws(mixer).treatsSequencesAlone();
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void decodingIsTheWholeSequence(Case each) {
    if (each.causal()) {
      try (TokenMixer mixer = each.build()) {
        each.laws(mixer).decodes();
      }
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void weightsReproduceTheResult(Case each) {
    try (TokenMixer mixer = each.build()) {
      each.laws(mixer).hasItsWeights();
    }
  }
}
