package dev.jformer.compress.prune;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.jformer.tensor.Shape;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Values from the paper's own code: tools/fixtures/make_allocation.py. */
class SparsityAllocationTest {
  private static JsonNode reference() throws IOException {
    try (InputStream in = SparsityAllocationTest.class.getResourceAsStream("allocation.json")) {
      return new JsonMapper().readTree(in);
    }
  }

  private static Map<String, Shape> layers() throws IOException {
    Map<String, Shape> layers = new LinkedHashMap<>();
    reference()
        .get("layers")
        .properties()
        .forEach(
            layer -> {
              List<Long> sizes = new ArrayList<>();
              layer.getValue().forEach(size -> sizes.add(size.asLong()));
              layers.put(
                  layer.getKey(), Shape.of(sizes.stream().mapToLong(Long::longValue).toArray()));
            });
    return layers;
  }

  static Stream<JsonNode> cases() throws IOException {
    List<JsonNode> cases = new ArrayList<>();
    reference().get("cases").forEach(cases::add);
    assertEquals(8, cases.size());
    return cases.stream();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void erAndErkAreTheAuthors(JsonNode expected) throws IOException {
    Map<String, Double> densities =
        SparsityAllocation.valueOf(expected.get("allocation").asText())
            .densities(layers(), expected.get("density").asDouble());
    densities.forEach(
        (name, density) ->
            assertEquals(expected.get("densities").get(name).asDouble(), density, 1e-12, name));
    assertEquals(expected.get("densities").size(), densities.size());
  }

  @ParameterizedTest
  @EnumSource
  void keepsTheShareThatItWasAskedFor(SparsityAllocation allocation) throws IOException {
    Map<String, Shape> layers = layers();
    for (double density : new double[] {0.1, 0.3, 0.7, 1}) {
      double kept = 0;
      double all = 0;
      Map<String, Double> densities = allocation.densities(layers, density);
      for (Map.Entry<String, Shape> layer : layers.entrySet()) {
        double share = densities.get(layer.getKey());
        assertTrue(share > 0 && share <= 1 + 1e-12, layer.getKey() + " " + share);
        kept += share * layer.getValue().elements();
        all += layer.getValue().elements();
      }
      assertEquals(density, kept / all, 1e-12);
    }
  }

  @Test
  void uniformPlusSparesTheEnds() throws IOException {
    Map<String, Double> sparse = SparsityAllocation.UNIFORM_PLUS.densities(layers(), 0.1);
    assertEquals(1, sparse.get("stem"));
    assertEquals(0.2, sparse.get("head"));
    assertEquals(sparse.get("qkv"), sparse.get("down"));
    Map<String, Double> denser = SparsityAllocation.UNIFORM_PLUS.densities(layers(), 0.5);
    assertEquals(denser.get("qkv"), denser.get("head"));
    var error =
        assertThrows(
            IllegalArgumentException.class,
            () -> SparsityAllocation.UNIFORM_PLUS.densities(layers(), 0.001));
    assertTrue(error.getMessage().contains("0.001"), error.getMessage());
  }
}
