package dev.jformer.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.compress.Compression;
import dev.jformer.compress.neurons.NeuronRule;
import dev.jformer.config.Configs;
import dev.jformer.config.Part;
import dev.jformer.ffn.ChannelMixer;
import dev.jformer.ffn.expert.Gate;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.cache.Cache;
import dev.jformer.mixer.reduction.TokenReducer;
import dev.jformer.model.Model;
import dev.jformer.nas.StudentScore;
import dev.jformer.nn.Norm;
import dev.jformer.nn.Projection;
import dev.jformer.nn.quantized.RangeRule;
import dev.jformer.position.Position;
import dev.jformer.train.Objective;
import dev.jformer.train.Optimizer;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/**
 * Every numeric field of every part and recipe refuses values that make no sense, in a message that
 * names the field: no number is NaN or infinite, and few may be negative.
 */
class FieldBoundsTest {
  private static final List<Class<? extends Part>> KINDS =
      List.of(
          Cache.Config.class,
          ChannelMixer.Config.class,
          Compression.class,
          DataConfig.class,
          Gate.Config.class,
          Model.Config.class,
          NeuronRule.class,
          Norm.Config.class,
          Objective.class,
          Optimizer.Config.class,
          Position.Config.class,
          Projection.class,
          RangeRule.class,
          StudentScore.class,
          TokenMixer.Config.class,
          TokenReducer.class);

  /** Fields that may be negative: any number is a seed, no id is negative, and a mean may be. */
  private static final Set<String> SIGNED =
      Set.of(
          "seed",
          "Embeddings.mask",
          "Embeddings.padding",
          "EncoderDecoder$Config.end",
          "Edm.logMean");

  private final Map<Class<?>, Record> records = new LinkedHashMap<>();

  private void collect(Object value) throws ReflectiveOperationException {
    if (value instanceof List<?> list) {
      for (Object item : list) {
        collect(item);
      }
    }
    if (!(value instanceof Record record)
        || records.putIfAbsent(record.getClass(), record) != null) {
      return;
    }
    for (RecordComponent component : record.getClass().getRecordComponents()) {
      collect(get(component, record));
    }
  }

  private static Object get(RecordComponent component, Record record)
      throws ReflectiveOperationException {
    component.getAccessor().setAccessible(true);
    return component.getAccessor().invoke(record);
  }

  private static List<Object> wrong(Class<?> type, boolean signed) {
    if (type == double.class) {
      List<Object> infinite =
          List.of(Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY);
      List<Object> all = new ArrayList<>(infinite);
      all.addAll(signed ? List.of() : List.of(-1e-9, -1.0, -1e30));
      return all;
    }
    if (signed || (type != int.class && type != long.class)) {
      return List.of();
    }
    return type == int.class ? List.of(-1, Integer.MIN_VALUE) : List.of(-1L, Long.MIN_VALUE);
  }

  @Test
  void numbersAreFiniteAndNotNegative() throws ReflectiveOperationException {
    collect(new Recipe());
    for (Class<? extends Part> kind : KINDS) {
      for (Part part : Configs.parts(kind).values()) {
        collect(part);
      }
    }
    assertTrue(records.size() > 100, "" + records.size());
    Set<String> accepted = new TreeSet<>();
    for (Record record : records.values()) {
      RecordComponent[] components = record.getClass().getRecordComponents();
      for (int i = 0; i < components.length; i++) {
        String field = components[i].getName();
        String name = record.getClass().getName() + "." + field;
        boolean signed = SIGNED.stream().anyMatch(name::endsWith);
        for (Object value : wrong(components[i].getType(), signed)) {
          String where = name + " = " + value;
          String message = message(record, i, value);
          if (message == null) {
            accepted.add(where);
          } else if (!message.contains(value.toString())) {
            accepted.add(where + ": " + message);
          }
        }
      }
    }
    assertEquals("", String.join("\n", accepted));
  }

  /** What is said of a record with one other value; null if it is accepted. */
  private static String message(Record record, int index, Object value)
      throws ReflectiveOperationException {
    RecordComponent[] components = record.getClass().getRecordComponents();
    Object[] values = new Object[components.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = i == index ? value : get(components[i], record);
    }
    Constructor<?> constructor =
        record
            .getClass()
            .getDeclaredConstructor(
                Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new));
    constructor.setAccessible(true);
    try {
      constructor.newInstance(values);
      return null;
    } catch (InvocationTargetException e) {
      if (e.getCause() instanceof IllegalArgumentException refused) {
        return String.valueOf(refused.getMessage());
      }
      throw e;
    }
  }
}
