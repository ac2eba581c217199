"""A model without its last layer gives the same features, and only its top is trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytestmark = [
    pytest.mark.timeout(300),  # TensorFlow takes long to import where every core is busy
    pytest.mark.filterwarnings("ignore:pkg_resources is deprecated:UserWarning"),  # tensorflow_hub
]


@pytest.mark.parametrize("what", ["plain", "convolution", "named", "softmax"])
def test_a_hub_layer_of_it_gives_the_features_and_trains_them(tmp_path: Path, what: str) -> None:
    import tensorflow as tf  # noqa: PLC0415 - heavy
    import tensorflow_hub as hub  # noqa: PLC0415 - imports TensorFlow

    from inference.models.frozen_graph import feature_graph  # noqa: PLC0415 - imports TensorFlow
    from inference.training.network import FeatureNetwork  # noqa: PLC0415 - imports TensorFlow
    from tests.inference import tiny  # noqa: PLC0415 - imports TensorFlow

    base = tiny.save(tmp_path / "base", what)
    network = FeatureNetwork(feature_graph("tiny", base, default_size=tiny.SIZE))
    images = np.random.default_rng(1).random((3, tiny.SIZE, tiny.SIZE, 3), np.float32)
    expected = tiny.Tiny().features(images).numpy() * (2 if what == "named" else 1)
    assert (network.input_size, network.width) == (tiny.SIZE, tiny.WIDTH)
    assert np.allclose(network.run(images), expected, atol=1e-5)
    assert [weight.shape.as_list() for weight in network.top] == [[3, 3, 3, tiny.WIDTH]]

    network.save(tmp_path / "features")
    layer = hub.KerasLayer(str(tmp_path / "features"), trainable=True)
    with tf.GradientTape() as tape:
        features = layer(images)
        loss = tf.reduce_sum(features)
    assert np.allclose(features, expected, atol=1e-5)
    (kernel,) = layer.trainable_weights
    kernel.assign_sub(0.01 * tape.gradient(loss, kernel))
    network.take_over([kernel])
    assert np.allclose(network.run(images), layer(images), atol=1e-6)
    assert not np.allclose(network.run(images), expected, atol=1e-3)


def test_batch_normalisation_is_trained_but_for_its_means_and_variances(tmp_path: Path) -> None:
    import tensorflow as tf  # noqa: PLC0415 - heavy
    import tf_keras  # noqa: PLC0415 - imports TensorFlow

    from inference.models.frozen_graph import feature_graph  # noqa: PLC0415 - imports TensorFlow
    from inference.training.network import FeatureNetwork  # noqa: PLC0415 - imports TensorFlow

    layers = tf_keras.layers
    base = tf_keras.Sequential(
        [
            layers.Input((32, 32, 3)),
            layers.Conv2D(4, 3, use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.DepthwiseConv2D(3, use_bias=False),
            layers.BatchNormalization(),
            layers.GlobalAveragePooling2D(),
            layers.Dense(6),
        ]
    )
    tf.saved_model.save(base, str(tmp_path / "base"))
    network = FeatureNetwork(feature_graph("keras", tmp_path / "base", default_size=32))
    images = np.random.default_rng(1).random((3, 32, 32, 3), np.float32)
    expected = tf_keras.Sequential(base.layers[:-1])(images, training=False)
    assert np.allclose(network.run(images), expected, atol=1e-5)
    shapes = [weight.shape.as_list() for weight in network.top]
    assert shapes == [[3, 3, 3, 4], [4], [4], [3, 3, 4, 1], [4], [4]]


@pytest.mark.real_model
def test_of_the_embedded_model_the_last_three_blocks_are_trained(embedded_model: Path) -> None:
    from inference.models.frozen_graph import feature_graph  # noqa: PLC0415 - imports TensorFlow
    from inference.training.network import TOP_LAYERS, FeatureNetwork  # noqa: PLC0415 - likewise

    network = FeatureNetwork(feature_graph("efficientnet_lite0", embedded_model, default_size=224))
    shapes = [weight.shape.as_list() for weight in network.top]
    assert len(shapes) == 2 * TOP_LAYERS  # a kernel and a bias each
    assert (shapes[0], shapes[-2], shapes[-1]) == ([1, 1, 192, 1152], [1, 1, 320, 1280], [1280])
    assert len(network.weights) == 2 * (1 + 3 * 16 - 1 + 1)  # the first block does not expand
