"""What the reference runtime (onnxruntime) answers for the face models as their packages ship them.

The models are not folded here: the reference runtime multiplies the block-quantised weights out by itself, so that the
comparison covers the folding as well. Inputs are pixels of one PNG, which every decoder reads alike, picked at whole
coordinates, and a sequence of numbers that both sides can make. Besides, the whole path from picture to embedding is
written here a second time, in another way, for comparison. Output: var/reference/outputs.json, for
crates/capture/tests/it.
"""

import json
import os
import pathlib
import sys

import numpy
import onnx
import onnxruntime
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parent.parent
MODELS = ROOT / "var" / "models" / "source"
PICTURE = ROOT / "var" / "test-pictures" / "32bit.png"
TARGET = ROOT / "var" / "reference" / "outputs.json"

REFERENCE_POINTS = [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]


def session(name):
    """A model as shipped, but for what the reference runtime does not take: declared inputs that nothing reads, a block
    size where a weight is one block, and, for the detector, the fixed input size."""
    model = onnx.load(MODELS / name)
    read = {value for node in model.graph.node for value in node.input}
    constants = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name in read and value.name not in constants]
    del model.graph.input[:]
    model.graph.input.extend(inputs)
    single = {tensor.name for tensor in model.graph.initializer if list(tensor.dims) in ([], [1])}
    for node in model.graph.node:
        if node.op_type == "DequantizeLinear" and node.input[1] in single:
            kept = [attribute for attribute in node.attribute if attribute.name != "block_size"]
            del node.attribute[:]
            node.attribute.extend(kept)
    if "detection" in name:
        del model.graph.value_info[:]
        for value in model.graph.input:
            for dim, symbol in zip(value.type.tensor_type.shape.dim[2:], ("height", "width")):
                dim.dim_param = symbol
        for value in model.graph.output:
            value.type.tensor_type.ClearField("shape")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def run(network, tensor):
    """All outputs by name."""
    names = [output.name for output in network.get_outputs()]
    answers = network.run(names, {network.get_inputs()[0].name: tensor.astype(numpy.float32)})
    return dict(zip(names, answers))


def sequence(shape):
    """Numbers 0..255 of a linear congruential generator (Numerical Recipes' constants), high byte."""
    state, numbers = 1, []
    for _ in range(int(numpy.prod(shape))):
        state = (state * 1664525 + 1013904223) % 2**32
        numbers.append(state >> 24)
    return numpy.array(numbers, numpy.float32).reshape(shape)


def picked(rgb, left, top, step, side):
    """Every step-th pixel of a square, channels first."""
    return rgb[top : top + step * side : step, left : left + step * side : step].transpose(2, 0, 1)[None]


def shrink_weights(source, target):
    """A matrix that averages `source` pixels into `target`, by how much of each is covered."""
    edges = numpy.arange(target + 1) * source / target
    pixels = numpy.arange(source)
    covered = numpy.minimum(edges[1:, None], pixels + 1) - numpy.maximum(edges[:-1, None], pixels)
    return numpy.clip(covered, 0, None) * target / source


def detect(network, rgb):
    """The best face: its box and five points in picture coordinates."""
    height, width = rgb.shape[:2]
    scale = min(1.0, 320 / max(height, width))
    small = (round(height * scale), round(width * scale))
    rows, columns = shrink_weights(height, small[0]), shrink_weights(width, small[1])
    image = (rows @ rgb.transpose(2, 0, 1) @ columns.T)[::-1]
    padded = numpy.zeros((1, 3, -(-small[0] // 32) * 32, -(-small[1] // 32) * 32))
    padded[0, :, : small[0], : small[1]] = image
    answers = run(network, padded)
    best = (0,)
    for stride in (8, 16, 32):
        score = numpy.sqrt(answers[f"cls_{stride}"][0, :, 0] * answers[f"obj_{stride}"][0, :, 0])
        cell = int(score.argmax())
        if score[cell] > best[0]:
            columns_count = padded.shape[3] // stride
            corner = numpy.array([cell % columns_count, cell // columns_count])
            factor = numpy.array([width / small[1], height / small[0]]) * stride
            box = answers[f"bbox_{stride}"][0, cell]
            size = numpy.exp(box[2:]) * factor
            middle = (box[:2] + corner) * factor
            points = (answers[f"kps_{stride}"][0, cell].reshape(5, 2) + corner) * factor
            best = (float(score[cell]), [*(middle - size / 2), *size], points)
    return best


def similarity(source, target):
    """Umeyama's similarity by singular values: a 2 x 3 matrix from source to target."""
    source_mean, target_mean = source.mean(0), target.mean(0)
    covariance = (target - target_mean).T @ (source - source_mean) / len(source)
    left, values, right = numpy.linalg.svd(covariance)
    sign = numpy.array([1, numpy.sign(numpy.linalg.det(left) * numpy.linalg.det(right))])
    rotation = left @ numpy.diag(sign) @ right
    scale = (values * sign).sum() / ((source - source_mean) ** 2).sum(1).mean()
    return numpy.column_stack([scale * rotation, target_mean - scale * rotation @ source_mean])


def align(rgb, points):
    """The 112 x 112 face; each pixel the mean of a grid of bilinear samples as fine as the picture's own pixels."""
    matrix = similarity(numpy.asarray(points), numpy.array(REFERENCE_POINTS))
    inverse = numpy.linalg.inv(numpy.vstack([matrix, [0, 0, 1]]))
    grid = max(1, round(float(numpy.hypot(inverse[0, 0], inverse[1, 0]))))
    at = (numpy.arange(112 * grid) + 0.5) / grid - 0.5
    x, y = numpy.meshgrid(at, at)
    x, y = inverse[0, 0] * x + inverse[0, 1] * y + inverse[0, 2], inverse[1, 0] * x + inverse[1, 1] * y + inverse[1, 2]
    padded = numpy.pad(rgb, ((1, 1), (1, 1), (0, 0)))
    left, top = numpy.floor(x).astype(int), numpy.floor(y).astype(int)
    right_share, bottom_share = (x - left)[..., None], (y - top)[..., None]

    def pixel(row, column):
        inside = (row >= -1) & (row <= rgb.shape[0]) & (column >= -1) & (column <= rgb.shape[1])
        rows, columns = row.clip(-1, rgb.shape[0]) + 1, column.clip(-1, rgb.shape[1]) + 1
        return numpy.where(inside[..., None], padded[rows, columns], 0)

    upper = pixel(top, left) * (1 - right_share) + pixel(top, left + 1) * right_share
    lower = pixel(top + 1, left) * (1 - right_share) + pixel(top + 1, left + 1) * right_share
    fine = upper * (1 - bottom_share) + lower * bottom_share
    return fine.reshape(112, grid, 112, grid, 3).mean((1, 3)).transpose(2, 0, 1)[None]


def main():
    """Runs every model on every input and writes the answers."""
    for needed in (MODELS, PICTURE):
        if not needed.exists():
            sys.exit(f"{needed.relative_to(ROOT)} is missing: run scripts/fetch-models and scripts/fetch-test-pictures.")
    rgb = numpy.asarray(Image.open(PICTURE).convert("RGB")).astype(numpy.float64)
    detector = session("face_detection_yunet_2023mar_int8bq.onnx")
    recogniser = session("face_recognition_sface_2021dec_int8bq.onnx")
    liveness = session("fr_liveness.onnx")
    eyes = session("fr_eye.onnx")
    inputs = {
        "detector": (detector, picked(rgb, 0, 0, 2, 320 - 32), (1, 3, 96, 160)),
        "recogniser": (recogniser, picked(rgb, 180, 290, 3, 112), (1, 3, 112, 112)),
        "liveness": (liveness, picked(rgb, 0, 200, 4, 128), (1, 3, 128, 128)),
        "eyes": (eyes, picked(rgb, 250, 380, 3, 24)[:, 1:2], (1, 1, 24, 24)),
    }
    outputs = {}
    for role, (network, tensor, shape) in inputs.items():
        scale = 1 / 255 if role == "eyes" else 1
        for kind, given in (("picture", tensor), ("sequence", sequence(shape))):
            answers = run(network, given * scale)
            outputs[f"{role}_{kind}"] = {name: answer.ravel().tolist() for name, answer in answers.items()}
    score, box, points = detect(detector, rgb)
    vector = run(recogniser, align(rgb, points))["fc1"][0].astype(numpy.float64)
    outputs["path"] = {
        "score": [score],
        "box": [float(value) for value in box],
        "points": numpy.asarray(points).ravel().tolist(),
        "embedding": (vector / numpy.linalg.norm(vector)).tolist(),
    }
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    part = TARGET.with_suffix(".part")
    part.write_text(json.dumps(outputs))
    os.replace(part, TARGET)
    print(f"{TARGET.relative_to(ROOT)}: answers of onnxruntime {onnxruntime.__version__}")


main()
