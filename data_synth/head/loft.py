# SPDX-License-Identifier: Apache-2.0
"""The built-in head's mean shape: radii of cross-sections, lofted into a smooth surface.

Rays leave a point on the head's axis; it stays in the skull for the face and then slides down the
neck while the rays sink to the horizontal, so that every part of head and neck is met once. The
table holds where they leave the mean head of ICT-FaceKit (MIT), measured at 40 stations from the
crown to the chest and 18 azimuths from the face's middle to the back, ears taken off.

Reference:
    Li et al. 2020, "Learning Formation of Physically-Based Face Attributes" (ICT-FaceKit).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

AZIMUTHS_DEG = np.array(
    [0, 4, 8, 12, 16, 21, 27, 33, 40, 48, 58, 70, 85, 100, 115, 130, 150, 180], float
)
_ELEVATIONS_DEG = np.fromstring(
    "90 75 62 52 44 38 33 28 24 20.5 17 14 11 8 5 2 -1 -3.5 -6 -8.5 -11 -13.5 -16 -18.5 -21 -23.5"
    " -26 -29 -33 -37 -42",
    sep=" ",
)
STATIONS = np.concatenate(
    [(90 - _ELEVATIONS_DEG) / 132 * 0.7, [0.73, 0.76, 0.79, 0.82, 0.85, 0.88, 0.92, 0.96, 1.0]]
)
"""From the crown, 0, over the chin, 0.7, down to the chest, 1."""
RADII_CM = (
    np.fromstring(
        """
    1300 1300 1300 1300 1300 1300 1300 1300 1300 1300 1300 1300 1300 1300 1300 1300 1300 1300
    1292 1292 1291 1290 1289 1288 1286 1284 1281 1278 1274 1272 1273 1277 1284 1292 1299 1306
    1280 1279 1277 1275 1272 1267 1260 1251 1240 1227 1214 1205 1205 1218 1235 1253 1268 1273
    1259 1258 1255 1251 1246 1238 1226 1210 1190 1168 1146 1129 1127 1142 1168 1194 1213 1220
    1230 1228 1226 1224 1219 1210 1191 1169 1141 1111 1080 1056 1048 1066 1095 1126 1154 1165
    1196 1195 1194 1193 1189 1177 1156 1132 1101 1065 1026 996 986 1004 1038 1072 1104 1116
    1164 1164 1164 1162 1157 1144 1123 1100 1065 1024 979 945 936 955 989 1027 1062 1077
    1140 1142 1145 1144 1138 1123 1100 1072 1029 982 935 900 897 905 937 981 1021 1037
    1121 1123 1127 1127 1123 1113 1094 1060 1006 953 905 869 884 898 922 947 989 1005
    1095 1093 1093 1091 1084 1084 1081 1053 991 932 883 846 865 881 900 918 961 978
    1063 1048 1011 989 998 1028 1041 1026 973 916 868 828 845 860 875 890 934 951
    1047 1015 947 937 948 999 1005 984 951 905 859 815 827 838 849 868 911 930
    1055 1011 932 907 932 990 960 946 932 899 853 803 810 815 821 848 889 909
    1083 1033 944 924 946 972 965 938 925 897 849 793 796 798 799 829 869 889
    1118 1066 974 933 938 954 956 944 930 899 847 785 785 784 782 811 849 869
    1158 1101 1004 956 946 956 962 958 940 902 845 780 777 773 769 795 831 850
    1207 1151 1028 976 961 964 975 974 951 904 842 776 770 764 758 780 814 833
    1246 1202 1047 990 977 977 986 983 956 905 840 774 756 752 748 769 801 819
    1265 1229 1110 1000 992 993 996 989 959 905 837 773 734 737 741 759 788 806
    1255 1208 1144 1007 1005 1007 1005 991 960 905 836 772 699 717 734 750 777 795
    1200 1026 1110 1012 1017 1020 1013 995 960 906 835 773 696 711 728 742 768 784
    1140 1115 1064 1029 1029 1032 1020 997 960 906 836 775 709 712 724 735 759 775
    1147 1141 1095 1061 1046 1043 1027 1000 962 908 840 779 731 710 721 730 752 767
    1182 1180 1138 1099 1072 1056 1035 1005 965 912 845 783 742 708 719 726 746 761
    1212 1198 1173 1129 1100 1071 1044 1011 970 918 853 788 746 706 719 723 742 757
    1193 1184 1169 1145 1118 1088 1055 1019 977 926 862 794 746 709 721 723 739 755
    1237 1231 1187 1127 1124 1105 1067 1029 987 936 872 802 744 715 724 724 739 755
    1243 1240 1218 1176 1138 1123 1085 1043 1000 950 886 812 743 725 731 728 743 760
    1244 1238 1226 1203 1175 1146 1109 1064 1019 968 904 828 755 744 745 739 756 774
    1319 1313 1285 1247 1210 1172 1129 1085 1038 986 921 844 762 753 747 756 778 796
    1345 1342 1326 1296 1257 1206 1153 1106 1057 1001 936 864 752 739 726 790 817 839
    1212 1208 1192 1160 1119 1063 1005 951 891 827 758 705 699 676 653 630 645 653
    1065 1058 1038 1002 955 893 826 768 710 662 637 631 648 614 587 532 533 529
    784 777 764 744 721 689 656 629 613 612 613 606 572 538 515 500 474 464
    729 723 711 695 676 653 636 630 629 630 626 611 593 594 585 540 492 471
    659 655 647 639 629 620 615 617 620 622 625 632 665 755 771 690 591 552
    600 598 597 595 593 595 598 602 605 615 635 677 809 1065 998 866 709 632
    544 546 552 561 573 585 593 600 619 655 721 857 1240 1240 1240 1240 1240 1240
    625 630 640 656 675 702 732 763 809 877 980 1159 1240 1240 1240 1240 1240 1240
    765 767 774 785 798 817 845 878 927 998 1119 1240 1240 1240 1240 1240 1240 1240
    """,
        sep=" ",
    ).reshape(len(STATIONS), len(AZIMUTHS_DEG))
    / 100
)


def rays(station: Any, azimuth: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Origins and unit directions ``(..., 3)`` of the loft's rays; azimuth in radians."""
    station, azimuth = np.broadcast_arrays(np.asarray(station, float), np.asarray(azimuth, float))
    knots = [0, 0.7, 0.82, 1]
    height = np.interp(station, knots, [1.5, 1.5, -10, -19])
    depth = np.interp(station, knots, [0.5, 0.5, -2, -2])
    elevation = np.radians(np.interp(station, knots, [90, -42, 0, 0]))
    flat = np.cos(elevation)
    towards = np.stack([np.sin(azimuth) * flat, np.sin(elevation), np.cos(azimuth) * flat], -1)
    return np.stack([0 * height, height, depth], -1), towards


def surface(station: Any, azimuth: Any) -> NDArray[np.float64]:
    """Points ``(..., 3)`` of the mean head without ears and eyes, head frame, cm."""
    from scipy.interpolate import RectBivariateSpline

    both = np.concatenate([-AZIMUTHS_DEG[:0:-1], AZIMUTHS_DEG])
    wrapped = np.concatenate([both[-4:-1] - 360, both, both[1:4] + 360])
    whole = np.concatenate([RADII_CM[:, :0:-1], RADII_CM], 1)
    whole = np.concatenate([whole[:, -4:-1], whole, whole[:, 1:4]], 1)
    spline = RectBivariateSpline(STATIONS, wrapped, whole, kx=3, ky=3)
    station, azimuth = np.broadcast_arrays(np.asarray(station, float), np.asarray(azimuth, float))
    radius = spline.ev(station, np.degrees(azimuth))
    origin, towards = rays(station, azimuth)
    return np.asarray(origin + towards * radius[..., None])
